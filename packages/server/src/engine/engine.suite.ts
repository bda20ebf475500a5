/** The laws of every engine. Each is a sentence about the ports alone, so that a second engine can be held to them too. */
import { afterAll, beforeAll, describe } from 'vitest'
import { type EngineUnderTest, type Fixture, lawsOf } from './fixture.suite.ts'
import { loadLaws } from './load.suite.ts'
import { lockLaws } from './locks.suite.ts'
import { orderLaws } from './order.suite.ts'
import { pullLaws } from './pull.suite.ts'
import { putLaws } from './put.suite.ts'
import { settleLaws } from './settle.suite.ts'
import { sliceLaws } from './slices.suite.ts'
import { sweepLaws } from './sweep.suite.ts'

export function engineSuite(subject: EngineUnderTest): void {
  describe(subject.name, () => {
    let fixture: Fixture
    beforeAll(async () => {
      fixture = await subject.open()
    })
    afterAll(() => fixture?.close())
    const laws = lawsOf(subject, () => fixture)
    describe('put', () => putLaws(laws))
    describe('load', () => loadLaws(laws))
    describe('sweep', () => sweepLaws(laws))
    describe('order', () => orderLaws(laws))
    describe('settle', () => settleLaws(laws))
    describe('slices', () => sliceLaws(laws))
    describe('pull', () => pullLaws(laws))
    describe('locks', () => lockLaws(laws))
  })
}
