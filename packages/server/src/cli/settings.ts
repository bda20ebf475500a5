import { Command, Option } from 'commander'
import { describeConfig } from '../config.ts'

/** Settings by name, as they were written on the command line. */
export type Flags = Readonly<Record<string, string | undefined>>

/** A command that takes every setting as a flag; they are checked where all sources of settings are. */
export function withSettings(name: string): Command {
  const command = new Command(name)
  command.option('--config <path>', 'file with settings, in place of ./posthorn.json')
  for (const setting of describeConfig()) {
    const notes = [`env ${setting.variable}`, ...(setting.default === '' ? [] : [`default ${setting.default}`])]
    const placeholder = setting.name
      .split(/(?=[A-Z])/)
      .at(-1)
      ?.toLowerCase()
    command.addOption(new Option(`${setting.flag} <${placeholder}>`, `${setting.summary} (${notes.join(', ')})`))
  }
  return command
}
