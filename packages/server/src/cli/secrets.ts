/** `posthorn secrets rotate`: a new key for the secrets at rest. It works on the database itself, beside nodes that run. */
import { readFileSync } from 'node:fs'
import type { Config } from '@posthorn/contract'
import { Command } from 'commander'
import { pino } from 'pino'
import type { rotateInstallationSecrets } from '../app-secrets.ts'
import { ConfigError, loadConfig, processSources } from '../config.ts'
import { type Flags, withSettings } from './settings.ts'

type RotateFlags = Flags & { readonly newKeyFile?: string }

export function secretsCommand(rotate: typeof rotateInstallationSecrets): Command {
  const command = withSettings('rotate')
    .summary('seal all secrets under a new key')
    .description(
      'Seals all secrets under a new key, while nodes run. It can be ended at any moment and started again: it goes on where it was.',
    )
    .option(
      '--new-key-file <path>',
      'file with the new key, 32 bytes in base64; - is stdin. Only where the key is configured',
    )
    .action((flags: RotateFlags) => run(flags, rotate))
  return new Command('secrets').summary('the key that encrypts secrets at rest').addCommand(command)
}

async function run({ newKeyFile, ...flags }: RotateFlags, rotate: typeof rotateInstallationSecrets): Promise<void> {
  const config = loadConfig(processSources(flags))
  const newKey = readNewKey(config, newKeyFile)
  const log = pino({ level: config.logLevel === 'info' ? 'warn' : config.logLevel }, pino.destination(2))
  console.error('a new key is announced to the nodes that run')
  const { keyId, rows } = await rotate(config, log, { newKey, progress: createProgress() })
  console.log(`all secrets are sealed under key ${keyId} now; ${rows} rows were sealed anew`)
  console.error(
    newKey === null
      ? `the new key is in ${config.dataDir}/secret.key: nodes with data folders of their own need it there before they next start`
      : 'configure the new key on every node before it next starts',
  )
}

/** @throws ConfigError */
function readNewKey({ secretKey }: Config, file: string | undefined): string | null {
  if (secretKey !== null && file === undefined)
    throw new ConfigError(['the key is configured, so the new one must be given: --new-key-file'])
  if (secretKey === null && file !== undefined)
    throw new ConfigError(['the key is in the data folder, and the new one is made there: leave out --new-key-file'])
  return file === undefined ? null : readFileSync(file === '-' ? 0 : file, 'utf8')
}

function createProgress(): (rows: number) => void {
  let said = 0
  return rows => {
    if (rows - said < 1000) return
    said = rows
    console.error(`${rows} rows`)
  }
}
