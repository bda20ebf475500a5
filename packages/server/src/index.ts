/** The library's face: a node in your own process, and a receiver to try things against. */

export type * from '@posthorn/client'
export { PosthornError, type PosthornErrorCode } from '@posthorn/client'
export type { CalledAs } from './api/access/in-process.ts'
export { migrateDatabase, type RunningNode, startNode } from './app.ts'
export { startTarget, type Target, type TargetOptions, type TargetRequest } from './cli/receiver.ts'
export { ConfigError, type ConfigSources, loadConfig, processSources } from './config.ts'
export { type Log, silentLog } from './log.ts'
