import { expect, test } from 'vitest'
import { column, list, textColumn, textList } from './encode.ts'

test('a column of nulls is no array at all', () => {
  expect(column([1, 2], () => null)).toBeNull()
})

test('numbers and nulls keep their places', () => {
  expect(column([1, null, 3], value => value)).toBe('{1,NULL,3}')
})

test('text is quoted, so that commas, braces, quotes, backslashes and the word NULL survive', () => {
  expect(textColumn(['a,b', '{x}', 'say "hi"', 'back\\slash', 'NULL', '', null], value => value)).toBe(
    '{"a,b","{x}","say \\"hi\\"","back\\\\slash","NULL","",NULL}',
  )
})

test('a list of none is an empty array', () => {
  expect(list([])).toBe('{}')
  expect(textList(['a'])).toBe('{"a"}')
})
