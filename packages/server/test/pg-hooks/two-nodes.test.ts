import { runSuites } from './run-suites.ts'

runSuites('PostgreSQL with two nodes that are called in turn', 'postgres', 2)
