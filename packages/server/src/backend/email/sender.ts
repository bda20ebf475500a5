import type { Mailbox } from '../../services/email.ts'
import { fail } from '../../services/faults.ts'
import type { Assignment } from '../assignments.ts'

/**
 * From whom an email is when another org's service sends it: that service may send for its owner's domain only.
 *
 * The address becomes the owner's, the name stays who it is from, and answers go where they would have gone.
 * @throws FaultError misconfigured, if the owner has no address to send from
 */
export function rewriteSender(
  from: Mailbox,
  replyTo: Mailbox | null,
  { lender, orgName }: Pick<Assignment, 'lender' | 'orgName'>,
): { readonly from: Mailbox; readonly replyTo: Mailbox | null } {
  if (lender === null) return { from, replyTo }
  const { emailFrom, name } = lender
  if (emailFrom === null)
    fail('misconfigured', `org ${orgName} sends through org ${name}, which has no emailFrom to send from`)
  if (domainOf(from.address) === domainOf(emailFrom)) return { from, replyTo }
  return { from: { address: emailFrom, name: from.name ?? from.address }, replyTo: replyTo ?? from }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()
