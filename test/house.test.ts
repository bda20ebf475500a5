import { describe, expect, test } from 'vitest'
import { objection, ROOMS, roomOf } from './house/rooms.ts'
import {
  findCircles,
  findFunctions,
  findImports,
  findSources,
  findStrings,
  isTest,
  resolveImport,
  type Source,
} from './house/sources.ts'

const SERVER = 'packages/server/src/'
const LONGEST_FILE = 400
const LONGEST_FUNCTION = 40
const FORBIDDEN_NAME = /^(utils?|helpers?|common|types?|managers?|base)$/
const STATEMENT =
  /\b(SELECT\s|INSERT INTO|DELETE FROM|UPDATE\s+\S+\s+SET|TRUNCATE\s|(CREATE|ALTER|DROP) (TABLE|INDEX|SEQUENCE))/

/** A secret of some length, as a literal. */
const WRITTEN_SECRET =
  /whsec_[A-Za-z0-9+/]{12,}|randomBytes\(32\)|(secret|password)\w*['"]?\s*(:( string)?( =)?|=)\s*(['"`])(?!\{PLT)[^'"`$]{12,}\5/i
/** These reach no database, no log and no answer. */
const UNSEEN_SECRETS = new Set(['packages/server/src/config.test.ts', 'packages/server/src/services/aws/sign.test.ts'])

const code = findSources('.ts')
const shipped = code.filter(source => !isTest(source.path))

describe('the house rules', () => {
  test('imports go down the list of rooms only', () => {
    const own = shipped.filter(source => source.path.startsWith(SERVER))
    refuse(own.flatMap(source => importObjections(source)))
  })

  test('contract and client import nothing of ours but themselves', () => {
    const own = shipped.filter(({ path }) => /^packages\/(contract|client)\//.test(path))
    refuse(
      own.flatMap(source =>
        findImports(source)
          .map(found => ({ ...found, target: resolveImport(source.path, found.specifier) }))
          .filter(({ target }) => target.startsWith('@posthorn/') || leavesPackage(source.path, target))
          .map(({ line, specifier }) => `${source.path}:${line} imports ${specifier}`),
      ),
    )
  })

  test('no file imports itself by a detour', () => {
    const graph = new Map(
      shipped.map(source => [
        source.path,
        findImports(source)
          .map(({ specifier }) => resolveImport(source.path, specifier))
          .filter(target => target.endsWith('.ts')),
      ]),
    )
    refuse(findCircles(graph).map(circle => circle.join(' → ')))
  })

  test('files are named in kebab-case, and for what they do', () => {
    refuse(
      code
        .map(({ path }) => ({ path, stem: path.split('/').at(-1)?.split('.')[0] ?? '' }))
        .filter(({ stem }) => FORBIDDEN_NAME.test(stem) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem))
        .map(({ path }) => `${path}: name it for what it does, in kebab-case`),
    )
  })

  test('only a package has an index.ts', () => {
    refuse(
      code
        .filter(({ path }) => path.endsWith('/index.ts') && !/^packages\/[a-z]+\/src\/index\.ts$/.test(path))
        .map(({ path }) => `${path}: import the file that has it`),
    )
  })

  test(`no file has more than ${LONGEST_FILE} lines`, () => {
    refuse(
      [...code, ...findSources('.mjs')]
        .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
        .filter(({ lines }) => lines > LONGEST_FILE)
        .map(({ path, lines }) => `${path} has ${lines} lines`),
    )
  })

  test(`no function has more than ${LONGEST_FUNCTION} lines`, () => {
    refuse(
      shipped.flatMap(source =>
        findFunctions(source)
          .filter(({ lines }) => lines > LONGEST_FUNCTION)
          .map(({ name, lines, line }) => `${source.path}:${line} ${name} has ${lines} lines`),
      ),
    )
  })

  test('only config.ts reads the environment', () => {
    refuse(
      shipped
        .filter(({ path }) => path !== `${SERVER}config.ts`)
        .flatMap(source => linesWith(source, /\bprocess\.env\b/))
        .map(place => `${place} reads process.env`),
    )
  })

  test('statements stand only in rooms that own tables', () => {
    refuse(
      shipped
        .filter(({ path }) => path.startsWith(SERVER) && !ROOMS[roomOfFile(path) ?? '']?.sql)
        .flatMap(source =>
          findStrings(source)
            .filter(({ text }) => STATEMENT.test(text))
            .map(({ line }) => `${source.path}:${line} has a statement: ask the room that owns the table`),
        ),
    )
  })

  test('the secrets of tests carry the mark by which they are searched for', () => {
    refuse(
      code
        .filter(({ path }) => path.startsWith('packages/server/') && isTest(path) && !UNSEEN_SECRETS.has(path))
        .flatMap(source => linesWith(source, WRITTEN_SECRET))
        .map(place => `${place} writes a secret down: packages/server/test/leaks/marked.ts makes them`),
    )
  })

  test('a statement file begins with what it relies on', () => {
    refuse(
      findSources('.sql')
        .filter(({ text }) => !text.startsWith('--'))
        .map(({ path }) => `${path} does not begin with a comment`),
    )
  })
})

function importObjections(source: Source): string[] {
  const room = roomOfFile(source.path) ?? ''
  return findImports(source).flatMap(({ specifier, typeOnly, line }) => {
    const resolved = resolveImport(source.path, specifier)
    const target = resolved.startsWith(SERVER) ? resolved.slice(SERVER.length) : resolved
    const reason = objection(room, { target, typeOnly })
    return reason === null ? [] : [`${source.path}:${line} ${reason}`]
  })
}

function roomOfFile(path: string): string | null {
  return roomOf(path.slice(SERVER.length))
}

function leavesPackage(path: string, target: string): boolean {
  const own = path.split('/').slice(0, 2).join('/')
  return target.endsWith('.ts') && !target.startsWith(`${own}/`)
}

function linesWith(source: Source, pattern: RegExp): string[] {
  return source.text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${source.path}:${i + 1}`] : []))
}

function refuse(violations: string[]): void {
  expect(violations.join('\n')).toBe('')
}
