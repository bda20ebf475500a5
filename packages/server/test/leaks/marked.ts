/**
 * Every secret of the tests is made here, and carries one mark: so a secret that got out is found by the mark alone, whoever
 * made it, without a list of them. The mark is of letters and digits only, which no escaping changes; `find.ts` knows what
 * base64, hexadecimal digits and full percent-encoding make of it. A key of an org, which the server makes, has a mark of
 * its own: `phk_`. A house rule holds that no test writes a secret down in another way.
 */
import { randomBytes } from 'node:crypto'

export const MARK = 'TellNobody7qXv3w'
const KEY_BYTES = 32

/** A password, an admin secret: the same for the same name. */
export const secretWord = (name = ''): string => MARK + name

/** 32 bytes that no other test has, for a key. */
export const secretBytes = (bytes = KEY_BYTES): Buffer =>
  Buffer.concat([Buffer.from(MARK), randomBytes(bytes - MARK.length)])

/** A key as settings have it: 32 bytes in base64. */
export const secretKey = (): string => secretBytes().toString('base64')

/** A signing secret, as receivers share it; none is like another. */
export const signingSecret = (): string => `whsec_${secretKey()}`
