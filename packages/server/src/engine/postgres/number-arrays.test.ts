import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/databases.ts'
import { bigints, doubles, integers, smallints } from './number-arrays.ts'

type Encode = (numbers: readonly (number | null)[], pick: (number: number | null) => number | null) => Buffer | null

eachDatabase('arrays of numbers', open => {
  const read = async (encode: Encode, type: string, numbers: readonly (number | null)[]): Promise<unknown> => {
    const statement = { name: '', text: `SELECT array_to_string($1::${type}, ',', 'none')` }
    const [row] = await open().rows(statement, [encode(numbers, number => number)])
    return row![0]!.split(',').map(number => (number === 'none' ? null : Number(number)))
  }

  test.each<[Encode, string, fc.Arbitrary<number>]>([
    [smallints, 'smallint[]', fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })],
    [integers, 'int[]', fc.integer()],
    [bigints, 'bigint[]', fc.maxSafeInteger()],
    [doubles, 'float8[]', fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0)],
  ])('the server reads what was given, %#', async (encode, type, number) => {
    const numbers = fc.array(fc.option(number, { freq: 5 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(
        numbers.filter(list => list.some(one => one !== null)),
        async list => {
          expect(await read(encode, type, list)).toEqual(list)
        },
      ),
      { numRuns: 50 },
    )
  })
})

test('a column of nulls is no array at all', () => {
  expect(bigints([1, 2], () => null)).toBeNull()
  expect(integers([], () => 1)).toBeNull()
})

test('a number that its type cannot hold is refused', () => {
  expect(() => smallints([2 ** 15], number => number)).toThrow(RangeError)
})
