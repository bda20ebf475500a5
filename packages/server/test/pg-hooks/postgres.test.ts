import { runSuites } from './run-suites.ts'

runSuites('PostgreSQL with one node', 'postgres', 1)
