import { describe, expect, test } from 'vitest'
import { checkSchemaName, lockSpaceOf, replaceSchema, StatementTexts } from './schema.ts'

const replace = (sql: string) => replaceSchema(sql, 'Other "one"')

describe('the configured schema', () => {
  test('stands wherever a statement says posthorn. as code', () => {
    expect(replace('SELECT a FROM posthorn.a JOIN posthorn.b USING (posthorn.c)')).toBe(
      'SELECT a FROM "Other ""one""".a JOIN "Other ""one""".b USING ("Other ""one""".c)',
    )
  })

  test('stands in function bodies, which are code in dollar quotes', () => {
    expect(replace('DO $$ BEGIN PERFORM posthorn.f(); END $$')).toContain('"Other ""one""".f()')
  })

  test('stands in the name of a sequence, which is a string', () => {
    expect(replaceSchema("SELECT nextval('posthorn.s'), 'posthorn.a', posthorn.b", "o'ne")).toBe(
      `SELECT nextval('"o''ne".s'), 'posthorn.a', "o'ne".b`,
    )
  })

  test.each([
    "SELECT 'posthorn.a'",
    "SELECT 'it''s posthorn.a'",
    "SELECT E'\\'posthorn.a'",
    'SELECT "posthorn.a"',
    'SELECT x.posthorn.a',
    'SELECT myposthorn.a',
    'SELECT posthorn_a',
    '-- posthorn.a',
    "-- it's\nSELECT 'posthorn.a'",
    '/* posthorn.a */',
  ])('leaves %s alone', sql => {
    expect(replace(sql)).toBe(sql)
  })

  test('differs from others in its lock space, which is the same on every node', () => {
    expect(lockSpaceOf('posthorn')).toBe(lockSpaceOf('posthorn'))
    expect(lockSpaceOf('posthorn')).not.toBe(lockSpaceOf('posthorn2'))
    expect(lockSpaceOf('posthorn') | 0).toBe(lockSpaceOf('posthorn'))
  })

  test.each(['', 'x'.repeat(64), 'pg_temp', 'information_schema', 'a\0b'])('may not be named %j', name => {
    expect(() => checkSchemaName(name)).toThrow(/schema/)
  })

  test('two statements with one name are refused, because one would run in the place of the other', () => {
    const texts = new StatementTexts('other')
    expect(texts.of({ name: 'a', text: 'SELECT 1 FROM posthorn.t' })).toBe('SELECT 1 FROM "other".t')
    expect(() => texts.of({ name: 'a', text: 'SELECT 2' })).toThrow('two different statements are named a')
    expect(texts.of({ name: '', text: 'SELECT 1' })).toBe('SELECT 1')
    expect(texts.of({ name: '', text: 'SELECT 2' })).toBe('SELECT 2')
  })
})
