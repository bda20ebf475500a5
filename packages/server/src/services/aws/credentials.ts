import type { CredentialField, CredentialRule } from '../credentials.ts'

/** What SES and SQS have in common. */
export const AWS_FIELDS = {
  host: {
    meaning: 'AWS region, such as `eu-central-1`',
    required: true,
    // It becomes part of a host name: nothing else may fit in it.
    wrong: value =>
      /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/.test(value) ? null : 'be an AWS region, such as eu-central-1',
  },
  user: {
    meaning: 'access key id',
    required: true,
    wrong: value => (/^\w{16,128}$/.test(value) ? null : 'be an access key id: 16 to 128 letters and digits'),
  },
  password: { meaning: 'secret access key', required: true },
} as const satisfies { [F in CredentialField]?: CredentialRule }
