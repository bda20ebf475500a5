import type { Credentials } from '../credentials.ts'
import { type Fault, type FaultCode, faultCodeOf, faultOf } from '../faults.ts'
import { isRecord } from '../http.ts'
import type { Means } from '../port.ts'
import { createRequestHandler } from './request-handler.ts'

/** The settings of an SDK client: one try each (retries are the queue's), our connections, and nothing of this machine's own. */
export function clientOptions(service: string, { host, user, password }: Credentials, means: Means) {
  const endpoint = means.endpoint?.(service) ?? null
  return {
    region: host!,
    credentials: { accessKeyId: user!, secretAccessKey: password! },
    requestHandler: createRequestHandler(means.outside),
    maxAttempts: 1,
    // Otherwise they come from the environment and the files of whoever runs the server.
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    customUserAgent: `posthorn/${means.version}`,
    ...(endpoint === null ? {} : { endpoint }),
  }
}

const BY_NAME: Readonly<Record<string, FaultCode>> = {
  AccessDenied: 'unauthorized',
  AccessDeniedException: 'unauthorized',
  ExpiredToken: 'unauthorized',
  ExpiredTokenException: 'unauthorized',
  IncompleteSignature: 'unauthorized',
  InvalidClientTokenId: 'unauthorized',
  InvalidSignatureException: 'unauthorized',
  MissingAuthenticationToken: 'unauthorized',
  OptInRequired: 'unauthorized',
  SignatureDoesNotMatch: 'unauthorized',
  UnrecognizedClientException: 'unauthorized',
  InternalFailure: 'unavailable',
  InternalServiceErrorException: 'unavailable',
  RequestExpired: 'unavailable',
  ServiceUnavailable: 'unavailable',
  RequestThrottled: 'throttled',
  SlowDown: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  ThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
}

/** Reads an error that an AWS service answered with; null if it did not answer. */
export function classifyAws(title: string, error: unknown, own: Readonly<Record<string, FaultCode>>): Fault | null {
  if (!(error instanceof Error)) return null
  const { $metadata: metadata } = error as { $metadata?: unknown }
  const status = isRecord(metadata) ? metadata.httpStatusCode : undefined
  if (typeof status !== 'number') return null
  // The answer began well, and then broke off (which the network explains), or is none of AWS's.
  if (status < 300)
    return error.cause instanceof Error
      ? null
      : faultOf('wrong_answer', `${title} gave no answer of its own`, { status })
  // SQS still gives some of its errors the names of its first protocol: AWS.SimpleQueueService.NonExistentQueue.
  const name = error.name.split('.').at(-1)!
  const code = own[name] ?? BY_NAME[name] ?? faultCodeOf(status)
  return faultOf(code, `${title} answered ${name}: ${error.message}`, { serviceCode: name, status })
}
