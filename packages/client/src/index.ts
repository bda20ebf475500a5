export { type CallOptions, type Client, type ClientOptions, createClient } from './client.ts'
export { PosthornError, type PosthornErrorCode } from './errors.ts'
export type * from './generated/types.ts'
export {
  type ReceivedHeaders,
  type VerifiedWebhook,
  type VerifyOptions,
  verifyWebhook,
  WebhookError,
  type WebhookErrorCode,
} from './verify-webhook.ts'
