import { cronSuite } from './crons.suite.ts'
import { deliverySuite } from './delivery.suite.ts'
import { graphqlSuite } from './graphql.suite.ts'
import { accessSuite, httpSuite } from './http.suite.ts'
import type { Suite } from './laws.ts'
import { listSuite } from './lists.suite.ts'
import { mutationSuite } from './mutations.suite.ts'
import { restSuite } from './rest.suite.ts'

export const suites: readonly Suite[] = [
  httpSuite,
  accessSuite,
  restSuite,
  listSuite,
  graphqlSuite,
  mutationSuite,
  deliverySuite,
  cronSuite,
]
