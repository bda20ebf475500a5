/** Rules of a message's payload that no schema can say. */
import { isUtf8 } from 'node:buffer'
import { objectToHeaders, Problem } from '@posthorn/contract'

export interface Payload {
  body?: string | null
  bodyBase64?: string | null
  headers?: Record<string, string> | null
}

/** @param place what stands before the field's name in a message: `body`, `body/messages/3` */
export function objectToPayload(input: Payload, maxBodyBytes: number, place: string): Problem | null {
  const { body, bodyBase64, headers } = input
  const fault = headers ? objectToHeaders(headers) : null
  if (fault) return invalid(`${place}/headers`, fault)
  if (typeof bodyBase64 === 'string') {
    if (typeof body === 'string') return invalid(`${place}/bodyBase64`, 'must not be given together with body')
    const digits = bodyBase64.replace(/=+$/, '').length
    if (digits % 4 === 1) return invalid(`${place}/bodyBase64`, 'must be base64')
    return (digits * 3) >>> 2 > maxBodyBytes ? new Problem('body_too_large', { limit: maxBodyBytes }) : null
  }
  return typeof body === 'string' ? objectToText(body, maxBodyBytes, place) : null
}

function objectToText(body: string, maxBodyBytes: number, place: string): Problem | null {
  // No character is more than three bytes per code unit, so that a small body is never measured.
  if (body.length * 3 > maxBodyBytes && Buffer.byteLength(body) > maxBodyBytes) {
    return new Problem('body_too_large', { limit: maxBodyBytes })
  }
  // ES2024, in Node since 20; on one-byte strings it costs nothing.
  const wellFormed = (body as string & { isWellFormed(): boolean }).isWellFormed()
  return wellFormed ? null : invalid(`${place}/body`, 'must be well-formed Unicode; send bytes as bodyBase64')
}

/** The very bytes of a request as a payload. */
export function toPayload(bytes: Buffer, contentType: string | undefined): Payload {
  const headers = contentType === undefined ? null : { 'content-type': contentType }
  return isUtf8(bytes) ? { body: bytes.toString(), headers } : { bodyBase64: bytes.toString('base64'), headers }
}

/** What the largest body can grow to as a request: six bytes for a control character in JSON, and the rest of the message. */
export function requestLimit(maxBodyBytes: number): number {
  return maxBodyBytes * 6 + 131_072
}

export function invalid(field: string, rule: string): Problem {
  return new Problem('validation_failed', { problem: `${field} ${rule}`, field })
}
