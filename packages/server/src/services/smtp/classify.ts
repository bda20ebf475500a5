import { type Fault, type FaultCode, faultOf } from '../faults.ts'

/** What nodemailer says of a failure. */
interface SmtpError extends Error {
  readonly code?: string
  readonly responseCode?: number
  readonly response?: string
}

/** Reads an error of a mail server, or of the conversation with it; null if it is neither. */
export function classifySmtp(error: unknown): Fault | null {
  if (!(error instanceof Error)) return null
  const { code = '', responseCode, response, message } = error as SmtpError
  if (responseCode === undefined) {
    const found = codeWithoutReply(code, message)
    return found === null ? null : faultOf(found, `The mail server: ${message}`)
  }
  const [, enhanced] = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '') ?? []
  const serviceCode = enhanced === undefined ? `${responseCode}` : `${responseCode} ${enhanced}`
  const found = codeOfReply(code, responseCode, enhanced ?? '', response ?? '')
  return faultOf(found, `The mail server answered ${response ?? message}`, { serviceCode, status: responseCode })
}

function codeOfReply(code: string, status: number, enhanced: string, response: string): FaultCode {
  const ofMessage = code === 'EENVELOPE' || code === 'EMESSAGE'
  if (status >= 400 && status < 500) {
    if (/\brate\b|throttl|too (many|much|fast)/i.test(response)) return 'throttled'
    return ofMessage && status !== 421 ? 'deferred' : 'unavailable'
  }
  if (code === 'EAUTH' || status === 530 || status === 535 || status === 534) return 'unauthorized'
  if (!ofMessage) return code === 'ETLS' ? 'tls' : 'unavailable'
  return enhanced === '5.3.4' || enhanced === '5.2.3' ? 'too_large' : 'rejected'
}

function codeWithoutReply(code: string, message: string): FaultCode | null {
  if (code === 'ETLS' || (code === 'ESOCKET' && /certificate|self.signed|\bssl\b|\btls\b|altnames/i.test(message))) {
    return 'tls'
  }
  if (code === 'EMESSAGE' && /size/i.test(message)) return 'too_large'
  return BY_CODE[code] ?? null
}

const BY_CODE: Readonly<Record<string, FaultCode>> = {
  EAUTH: 'unauthorized',
  ENOAUTH: 'unauthorized',
  ECONNECTION: 'reset',
  ESOCKET: 'reset',
  EENVELOPE: 'invalid',
  EMESSAGE: 'invalid',
  EPROTOCOL: 'protocol',
  ETIMEDOUT: 'timeout',
}
