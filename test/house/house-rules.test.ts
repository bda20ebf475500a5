import { describe, expect, test } from 'vitest'
import { objection, ROOMS } from './rooms.ts'
import { findCircles, findFunctions, findImports, findStrings, resolveImport } from './sources.ts'

const source = (text: string) => ({ path: 'packages/server/src/api/a.ts', text })

describe('the rules of the house find what breaks them', () => {
  test('a room may import what its line allows, and nothing above it', () => {
    expect(objection('queue', { target: 'engine/port.ts', typeOnly: false })).toBeNull()
    expect(objection('queue', { target: '@posthorn/contract', typeOnly: false })).toBeNull()
    expect(objection('queue', { target: 'node:path', typeOnly: false })).toBeNull()
    expect(objection('queue', { target: 'run/dispatcher.ts', typeOnly: true })).toContain('queue may not import run')
    expect(objection('api', { target: 'run/node.ts', typeOnly: false })).toContain('api may not import run')
    expect(objection('cellar', { target: 'db/port.ts', typeOnly: false })).toContain('no room of the house')
  })

  test('run knows the sender by its types alone', () => {
    expect(objection('run', { target: 'deliver/port.ts', typeOnly: true })).toBeNull()
    expect(objection('run', { target: 'deliver/port.ts', typeOnly: false })).toContain('only types')
    expect(objection('run', { target: 'deliver/sender.ts', typeOnly: true })).toContain('may not import')
  })

  test('the table itself has no circle', () => {
    const rooms = new Map(Object.entries(ROOMS).map(([name, room]) => [name, room.imports]))
    expect(findCircles(rooms)).toEqual([])
    const order = Object.keys(ROOMS)
    for (const [name, room] of Object.entries(ROOMS)) {
      for (const other of room.imports)
        expect(order.indexOf(other), `${name} → ${other}`).toBeLessThan(order.indexOf(name))
    }
  })

  test('every way to import is seen, with or without values', () => {
    const text = `
      import a from './a.ts'
      import type { B } from './b.ts'
      import { type C, type D } from './c.ts'
      import { type E, f } from './d.ts'
      export * from './e.ts'
      export type { G } from './f.ts'
      const h = await import('./g.ts')
      type I = import('./h.ts').I
      // import z from './z.ts'
      const s = "import y from './y.ts'"`
    const found = findImports(source(text)).map(({ specifier, typeOnly }) => `${specifier} ${typeOnly}`)
    expect(found).toEqual([
      './a.ts false',
      './b.ts true',
      './c.ts true',
      './d.ts false',
      './e.ts false',
      './f.ts true',
      './g.ts false',
      './h.ts true',
    ])
  })

  test('a circle is named once, by the files on its way', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['a']],
      ['d', []],
    ])
    expect(findCircles(imports)).toEqual([['a', 'b', 'c', 'a']])
  })

  test('strings, functions and paths are read as the compiler reads them', () => {
    expect(findStrings(source('const a = `x` + "y" // "no"')).map(({ text }) => text)).toEqual(['`x`', '"y"'])
    expect(findFunctions(source('function f() {\n\n}\nconst g = () => 1'))[0]).toEqual({ name: 'f', lines: 3, line: 1 })
    expect(findFunctions(source('function f() {\n  return {\n    g() {\n\n    },\n  }\n}'))).toEqual([
      { name: 'f', lines: 5, line: 1 },
      { name: 'g', lines: 3, line: 3 },
    ])
    expect(resolveImport('packages/server/src/api/a.ts', '../db/port.ts')).toBe('packages/server/src/db/port.ts')
    expect(resolveImport('packages/server/src/api/a.ts', 'pino')).toBe('pino')
  })
})
