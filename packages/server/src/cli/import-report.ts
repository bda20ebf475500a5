/** What an import says to the person who asked for it. */
import type { Moved, Outcome } from '../import/import-pg-hooks.ts'
import type { Plan, Remark } from '../import/plan.ts'

/** Of many with the same reason, so many ids are named. */
const NAMED = 10

export function describePlan({ counts, queues, crons, left, remarks }: Plan): string {
  const { pending, delayed, retried, ticks, handed_over } = counts
  const lines = [
    `pg-hooks has ${many(queues.length, 'queue')}, ${many(crons.length, 'cron')} and ${many(pending, 'waiting message')}:`,
    `${n(delayed)} of them delayed, ${n(retried)} between retries, ${n(ticks)} for ticks of crons`,
    ...(handed_over > 0 ? [`${many(handed_over, 'message')} were handed over before`] : []),
    ...(left.length > 0 ? ['stay in pg-hooks:', ...listed(left)] : []),
    ...(remarks.length > 0 ? ['change:', ...listed(remarks)] : []),
    ...newIds('queue', queues),
    ...newIds('cron', crons),
  ]
  return lines.join('\n')
}

/** Whether pg-hooks has nothing left that Posthorn should have. */
export function isComplete({ left, there }: Outcome): boolean {
  return left.length === 0 && there.pending === 0
}

export function describeOutcome(outcome: Outcome): string {
  const { taken, left, there, here, movedQueues, movedCrons, disagreement } = outcome
  const known = left.filter(({ kind }) => kind === 'message').length
  const lines = [
    `imported ${many(taken.stored, 'message')}${taken.before > 0 ? `, ${n(taken.before)} were imported before` : ''}`,
    ...(taken.ticks > 0 ? [`${many(taken.ticks, 'tick')} to come are stored here by the crons themselves`] : []),
    ...idMap('queue', movedQueues),
    ...idMap('cron', movedCrons),
    ...(left.length > 0 ? ['stay in pg-hooks:', ...listed(left)] : []),
    ...(there.pending > known
      ? [`${many(there.pending, 'message')} wait in pg-hooks; run the command again for what came there meanwhile`]
      : []),
    `counted: ${n(there.handed_over)} handed over by pg-hooks, ${n(here.messages)} taken over (${n(here.waiting)} wait here, ` +
      `${n(here.settled)} are settled, ${n(here.ticks)} were ticks to come)${disagreement ? '' : ': they agree'}`,
  ]
  return lines.join('\n')
}

function listed(remarks: readonly Remark[]): string[] {
  const groups = new Map<string, number[]>()
  for (const { kind, id, text } of remarks) {
    const key = `${kind}\0${text}`
    groups.set(key, [...(groups.get(key) ?? []), id])
  }
  return [...groups].map(([key, ids]) => {
    const [kind, text] = key.split('\0') as [string, string]
    const named = ids.slice(0, NAMED).join(', ')
    const more = ids.length > NAMED ? ` and ${n(ids.length - NAMED)} more` : ''
    return `  ${kind}${ids.length > 1 ? 's' : ''} ${named}${more}: ${text}`
  })
}

function newIds(kind: string, planned: Plan['queues'] | Plan['crons']): string[] {
  const ids = planned.filter(({ newId }) => newId === null).map(({ old }) => old.id)
  return ids.length === 0 ? [] : [`get new ids, for theirs are taken here: ${kind} ${ids.join(', ')}`]
}

function idMap(kind: string, moved: readonly Moved[]): string[] {
  if (moved.length === 0) return []
  return [`new ids of ${kind}s: ${moved.map(({ from, to }) => `${from} → ${to}`).join(', ')}`]
}

const n = (count: number): string => count.toLocaleString('en')
const many = (count: number, noun: string): string => `${n(count)} ${noun}${count === 1 ? '' : 's'}`
