import { expect, test } from 'vitest'
import { signAws } from './sign.ts'

test("the signature of AWS's published example (get-vanilla-query-order-key) comes out", () => {
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
  const scope = {
    region: 'us-east-1',
    service: 'service',
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  }
  const query = [
    ['Param2', 'value2'],
    ['Param1', 'value1'],
  ] as const
  const authorization = signAws({ method: 'GET', path: '/', query, headers, body: '' }, scope)
  expect(authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  )
})
