import { describe } from 'vitest'
import { describePostgres, openFresh } from '../../../test/databases.ts'
import { engineSuite } from '../engine.suite.ts'
import { openFixture } from './database-fixture.suite.ts'

const ONE_SESSION = 'the embedded database has one session'

describePostgres('on PostgreSQL', () => {
  engineSuite({
    name: 'the engine',
    lacks: {},
    open: async () => openFixture(await openFresh('postgres', { poolSize: 20 })),
  })
})

describe('on the embedded database', () => {
  engineSuite({
    name: 'the engine',
    lacks: { 'late commits': ONE_SESSION, transactions: ONE_SESSION, sessions: ONE_SESSION },
    open: async () => openFixture(await openFresh('embedded')),
  })
})
