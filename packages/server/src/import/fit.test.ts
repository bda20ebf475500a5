import { describe, expect, test } from 'vitest'
import { objection } from '../api/validator.ts'
import { checkHeaders } from '../deliver/header-rules.ts'
import { type Fit, fitCron, fitMessage, fitQueue } from './fit.ts'

const rules = { checkHeaders, objection }
const NOW = Date.UTC(2026, 10, 21)
const queue = {
  ...{ id: 1, name: 'q', callback_url: 'https://h.example/x', method: 'POST', headers: null },
  ...{ dead_letter_queue_id: null, max_retries: 5, created_us: 0 },
}
const cron = { id: 1, queue_id: 1, schedule: '@daily', body: null, headers: null, created_us: 0, waits: true }
const message = {
  ...{ id: 1, queue_id: 1, cron_id: null, due: NOW, body: 'b', headers: null, retries: 0, created_us: 0 },
}

const problem = (fit: Fit<unknown>): string => (fit.ok ? 'none' : fit.problem)
const remarks = (fit: Fit<unknown>): readonly string[] => (fit.ok ? fit.remarks : [fit.problem])

describe('what of pg-hooks fits', () => {
  test.each([
    [{ callback_url: 'not a url' }, 'callbackUrl'],
    [{ callback_url: 'http://user:pw@h.example/' }, 'without user and password'],
    [{ callback_url: 'ftp://h.example/' }, 'callbackUrl'],
    [{ method: 'BREW' }, 'method'],
    [{ name: '' }, 'name'],
    [{ headers: { 'bad name': 'x' } }, 'not a valid header name'],
    [{ headers: { 'webhook-id': 'x' } }, 'webhook-id is set by Posthorn'],
    [{ headers: { 'X-A': '1', 'x-a': '2' } }, 'given twice'],
    [{ headers: ['x'] }, 'headers must be an object'],
  ])('a queue that pg-hooks could store and Posthorn would refuse is left: %j', (fault, reason) => {
    expect(problem(fitQueue({ ...queue, ...fault }, rules))).toContain(reason)
  })

  test('bounds that pg-hooks did not have are met, and told', () => {
    expect(fitQueue({ ...queue, max_retries: 1000 }, rules)).toMatchObject({ input: { maxRetries: 100 } })
    expect(remarks(fitQueue({ ...queue, max_retries: 1000 }, rules))).toEqual(['maxRetries 1000 becomes 100'])
    expect(remarks(fitQueue({ ...queue, max_retries: -1 }, rules))).toEqual(['maxRetries -1 becomes 0'])
    expect(remarks(fitQueue({ ...queue, max_retries: 0 }, rules))[0]).toContain('for ever')
    expect(remarks(fitQueue(queue, rules))).toEqual([])
  })

  test('headers are what pg-hooks sent; those of the connection are left out', () => {
    const headers = { 'x-n': 1, 'x-t': true, 'x-null': null, Connection: 'close', 'Content-Length': '5' }
    const fit = fitQueue({ ...queue, headers }, rules)
    expect(fit).toMatchObject({ input: { headers: { 'x-n': '1', 'x-t': 'true', 'x-null': '' } } })
    expect(remarks(fit)).toHaveLength(2)
  })

  test.each(['', '* * * *', 'hello world', '@every 5s', '0 0 31 2 *'])('the schedule %j is left', schedule => {
    expect(problem(fitCron({ ...cron, schedule }, NOW, rules))).toContain('schedule')
  })

  test.each(['@hourly', '*/5 * * * * *', '0 12 L * ?', '0 0 * * 1#1', '0 0 * * 7'])(
    'the schedule %j is taken',
    schedule => {
      expect(fitCron({ ...cron, schedule }, NOW, rules)).toMatchObject({ ok: true, remarks: [] })
    },
  )

  test('a message keeps its time, also a past one, and the attempts that it has had', () => {
    expect(fitMessage({ ...message, due: 5, retries: 3 }, rules)).toMatchObject({ input: { dueAt: 5, attempts: 3 } })
    expect(fitMessage({ ...message, retries: -2 }, rules)).toMatchObject({ input: { attempts: 0 } })
    expect(fitMessage({ ...message, retries: 1_000_000 }, rules)).toMatchObject({ input: { attempts: 32_767 } })
  })

  test.each([null, Date.UTC(10_000, 0), -1e14])('a message whose time no answer could say is left: %j', due => {
    expect(problem(fitMessage({ ...message, due }, rules))).toContain('when')
  })
})
