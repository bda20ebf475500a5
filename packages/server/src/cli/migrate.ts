import type { Config } from '@posthorn/contract'
import type { Command } from 'commander'
import { pino } from 'pino'
import { loadConfig, processSources } from '../config.ts'
import type { Log } from '../log.ts'
import { type Flags, withSettings } from './settings.ts'

/** Brings the database up to date; the log names the migrations that it runs. */
export type Migrate = (config: Config, log: Log) => Promise<void>

export function migrateCommand(migrate: Migrate): Command {
  return withSettings('migrate')
    .summary('bring the database up to date, and end')
    .description('Brings the database up to date, and ends. A node does the same when it starts.')
    .action(async (flags: Flags) => {
      const config = loadConfig(processSources(flags))
      await migrate(config, pino({ level: config.logLevel }))
      console.error('the database is up to date')
    })
}
