import { describe, expect, test } from 'vitest'
import { readCredentials } from '../credentials.ts'
import { open, serviceSuite } from '../service.suite.ts'
import { startStripe } from './stand-in.suite.ts'
import { stripe, testStripe } from './stripe.ts'

serviceSuite(stripe, { start: startStripe, saysHowLong: true })
serviceSuite(testStripe, { start: startStripe })

describe('Stripe', () => {
  const begin = async () => {
    const standIn = await startStripe()
    return { standIn, ...open(stripe, { credentials: standIn.credentials, endpoint: standIn.endpoint }) }
  }

  test('each object is created at its place, with nested parameters as Stripe reads them', async () => {
    const { service, standIn } = await begin()
    const { createPaymentIntent, createCustomer, createPrice, createSubscription } = service.calls
    const intent = await createPaymentIntent!({
      params: { amount: 500, currency: 'eur', metadata: { action: '7' } },
      idempotencyKey: 'k1',
    })
    expect(intent).toMatchObject({
      ok: true,
      value: { id: 'payment_intents_1', form: { amount: '500', 'metadata[action]': '7' } },
    })
    await createCustomer!({ params: { name: 'Änn' }, idempotencyKey: null })
    await createPrice!({ params: { currency: 'eur', recurring: { interval: 'month' } }, idempotencyKey: null })
    await createSubscription!({ params: { customer: 'c', items: [{ price: 'p' }] }, idempotencyKey: null })
    expect(standIn.taken()).toEqual(['payment_intents', 'customers', 'prices', 'subscriptions'])
    expect(new URLSearchParams(standIn.asked.at(-1)!.body.toString()).get('items[0][price]')).toBe('p')
  })

  test('a repeated call with the same key charges once', async () => {
    const { service, standIn } = await begin()
    const pay = () =>
      service.calls.createPaymentIntent!({ params: { amount: 500, currency: 'eur' }, idempotencyKey: 'msg_1' })
    const [first, second] = [await pay(), await pay()]
    expect(second).toEqual(first)
    expect(standIn.taken()).toHaveLength(1)
  })

  test("Stripe's own code and words are passed on", async () => {
    const { service } = await begin()
    const pay = (amount: number) =>
      service.calls.createPaymentIntent!({ params: { amount, currency: 'eur' }, idempotencyKey: null })
    expect(await pay(402)).toMatchObject({
      fault: {
        code: 'rejected',
        status: 402,
        serviceCode: 'card_declined: insufficient_funds',
        reason: expect.stringContaining('Your card was declined.'),
      },
    })
    expect(await pay(0)).toMatchObject({ fault: { code: 'rejected', serviceCode: 'parameter_invalid_integer' } })
    expect(await pay(409)).toMatchObject({ fault: { code: 'deferred' } })
  })

  test('an error that repeats the key does not show it', async () => {
    const { standIn } = await begin()
    const { service, lines } = open(stripe, { credentials: standIn.wrong!, endpoint: standIn.endpoint })
    const answer = await service.check()
    expect(answer).toMatchObject({ fault: { code: 'unauthorized', reason: expect.stringContaining('[hidden]') } })
    expect(JSON.stringify([answer, lines])).not.toContain('sk_test_another')
  })

  test('test_stripe takes no key that moves real money', () => {
    for (const password of ['sk_live_abc', 'rk_live_abc', 'pk_test_abc', 'nonsense']) {
      expect(readCredentials(testStripe.credentials, { password }), password).toMatchObject({
        ok: false,
        problems: [{ field: 'password' }],
      })
    }
    expect(readCredentials(testStripe.credentials, { password: 'rk_test_abc' }).ok).toBe(true)
    expect(readCredentials(stripe.credentials, { password: 'sk_live_abc' }).ok).toBe(true)
  })
})
