import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { expect, test } from 'vitest'

const PACKAGE = new URL('../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, PACKAGE), 'utf8')

test('whatever the sources import is a dependency of the package [pg-hooks: packaging.dependencies]', () => {
  const files = readdirSync(new URL('src', PACKAGE), { recursive: true, encoding: 'utf8' })
  const shipped = files.filter(path => /\.(ts|mjs)$/.test(path) && !/\.(test|suite)\.ts$/.test(path))
  const named = shipped.flatMap(path => [
    ...read(`src/${path}`).matchAll(/^(?:import|.*\} from|import .* from) '([^'.]+[^']*)'$/gm),
  ])
  const packages = new Set(
    named
      .map(([, name]) => name!)
      .filter(name => !isBuiltin(name))
      .map(name =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  )
  expect(packages.has('undici')).toBe(true)
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: object }
  expect([...packages].filter(name => !(name in dependencies))).toEqual([])
})
