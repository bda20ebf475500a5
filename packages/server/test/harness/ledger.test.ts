import { describe, expect, test } from 'vitest'
import { demandLawful, Ledger } from './ledger.ts'
import type { Arrival } from './receiver.ts'

let order = 0
function arrival(token: string, at: number, answeredAt: number | undefined = at + 5, status = 200): Arrival {
  order += 1
  return {
    order,
    path: '/',
    method: 'POST',
    id: token,
    rawHeaders: [],
    body: Buffer.from(token),
    repeats: 0,
    connection: 0,
    at,
    answeredAt,
    status: answeredAt === undefined ? undefined : status,
  }
}

function ledgerWith(count: number, lane: string | null = null): { ledger: Ledger; tokens: string[] } {
  const ledger = new Ledger()
  const tokens = Array.from({ length: count }, () => ledger.open(lane))
  for (const token of tokens) ledger.acknowledge(token)
  return { ledger, tokens }
}

describe('the ledger', () => {
  test('an acknowledged message that was never answered 2xx is lost', () => {
    const { ledger, tokens } = ledgerWith(3)
    const [a = '', b = '', c = ''] = tokens
    const arrivals = [arrival(a, 10), arrival(b, 10, 15, 500), arrival(c, 10, undefined)]
    arrivals[2] = { ...(arrivals[2] as Arrival), answeredAt: undefined, status: undefined }
    expect(ledger.judge(arrivals).lost).toEqual([b, c])
    expect(ledger.missing(arrivals)).toBe(2)
    expect(() => demandLawful(ledger.judge(arrivals))).toThrow(/2 lost: m-1, m-2/)
  })

  test('a put that was not acknowledged may be lost', () => {
    const ledger = new Ledger()
    ledger.open()
    demandLawful(ledger.judge([]))
  })

  test('a second delivery is a breach unless a fault caught the first in flight', () => {
    const { ledger, tokens } = ledgerWith(1)
    const [a = ''] = tokens
    const arrivals = [arrival(a, 100), arrival(a, 5000)]
    expect(ledger.judge(arrivals).doubled).toEqual([a])
    ledger.fault(50)
    ledger.fault(1200)
    expect(ledger.judge(arrivals).doubled).toEqual([a])
    ledger.fault(104)
    expect(ledger.judge(arrivals)).toMatchObject({ doubled: [], excused: 1 })
  })

  test('a fault that lasts excuses what was started while a node did not know of it', () => {
    const { ledger, tokens } = ledgerWith(1)
    const [a = ''] = tokens
    const arrivals = [arrival(a, 100), arrival(a, 5000)]
    ledger.fault(50, 49)
    expect(ledger.judge(arrivals).doubled).toEqual([a])
    ledger.fault(50, 50)
    expect(ledger.judge(arrivals)).toMatchObject({ doubled: [], excused: 1 })
  })

  test('a retry after a refusal is no duplicate', () => {
    const { ledger, tokens } = ledgerWith(1)
    const [a = ''] = tokens
    demandLawful(ledger.judge([arrival(a, 100, 105, 500), arrival(a, 200)]))
  })

  test('in a lane nothing comes before its predecessor is delivered, retries included', () => {
    const { ledger, tokens } = ledgerWith(2, 'lane')
    const [a = '', b = ''] = tokens
    demandLawful(ledger.judge([arrival(a, 100, 105, 500), arrival(a, 200), arrival(b, 300)]))
    const early = [arrival(a, 100, 105, 500), arrival(b, 150), arrival(a, 200)]
    expect(ledger.judge(early).misplaced).toEqual([`${b} came before ${a} was delivered`])
    expect(ledger.judge([arrival(a, 100, 200), arrival(b, 150)]).misplaced).toHaveLength(1)
  })

  test('what was never put is a stranger', () => {
    expect(new Ledger().judge([arrival('ghost', 1)]).strangers).toEqual(['ghost'])
  })
})
