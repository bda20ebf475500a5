import { runSuites } from './run-suites.ts'

runSuites('the embedded database', 'embedded', 1)
