import { spawnSync } from 'node:child_process'

/** Nothing of npm's or of ours may leak from the run that started this one; only where npm finds packages is kept. */
export function cleanEnvironment(home) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|POSTHORN_|PLT_|DATABASE_|NODE_|INIT_CWD)/i.test(name),
  )
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim()
  return { ...Object.fromEntries(kept), npm_config_registry: registry, ...(home && { HOME: home }) }
}
