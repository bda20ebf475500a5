import { mailjet } from './mailjet/mailjet.ts'
import type { ServiceType } from './port.ts'
import { ses } from './ses/ses.ts'
import { smtp } from './smtp/smtp.ts'
import { sqs } from './sqs/sqs.ts'
import { stripe, testStripe } from './stripe/stripe.ts'
import { supabase } from './supabase/supabase.ts'
import { testdetail } from './testdetail/testdetail.ts'
import { testmail } from './testmail/testmail.ts'
import { webhook } from './webhook/webhook.ts'
import { wordpress } from './wordpress/wordpress.ts'

/** Every service there is, in the order of the reference. Their libraries are loaded when one is first used. */
export const SERVICES: readonly ServiceType[] = [
  ses,
  mailjet,
  smtp,
  sqs,
  webhook,
  supabase,
  stripe,
  testStripe,
  wordpress,
  testmail,
  testdetail,
]
