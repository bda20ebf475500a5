import { expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { DatabaseError } from './port.ts'

const TIMESTAMPTZ = 'timestamptz'

eachDatabase('values', open => {
  const read = async (sql: string) =>
    (await open().query<{ v: unknown }>({ name: '', text: `SELECT ${sql} AS v` }))[0]!.v
  const send = async (value: never, type: string) => {
    const text = `SELECT $1::${type} AS v`
    return (await open().query<{ v: unknown }>({ name: '', text }, [value]))[0]!.v
  }

  test.each([
    ["'-7'::int2", -7],
    ["'2147483647'::int4", 2147483647],
    ["'9007199254740991'::int8", Number.MAX_SAFE_INTEGER],
    ["'12'::xid8", 12],
    ["'0.1'::float8", 0.1],
    ["'NaN'::float8", Number.NaN],
    ["'-Infinity'::float8", Number.NEGATIVE_INFINITY],
    ["'1.10'::numeric", '1.10'],
    ['true', true],
    ['false', false],
    ["'ü\"\\ '::text", 'ü"\\ '],
    ['\'d\'::"char"', 'd'],
    ["'2025-01-02'::date", '2025-01-02'],
    ["'00000000-0000-0000-0000-000000000001'::uuid", '00000000-0000-0000-0000-000000000001'],
    ['NULL::int4', null],
    ['\'{"a":[1,null]}\'::jsonb', { a: [1, null] }],
    ["'null'::jsonb", null],
    ['\'"x"\'::json', 'x'],
    ["'\\x00ff'::bytea", Buffer.from([0, 255])],
    ["'{1,NULL,3}'::int8[]", [1, null, 3]],
    ["'{}'::int4[]", []],
    ["'[0:1]={1,2}'::int4[]", [1, 2]],
    [
      "'{{1,2},{3,4}}'::int2[]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["ARRAY['a,b', '\"', '\\', 'NULL', NULL, '', '{}']", ['a,b', '"', '\\', 'NULL', null, '', '{}']],
    ['ARRAY[\'{"a":1}\'::jsonb]', [{ a: 1 }]],
    ["ARRAY['\\x01'::bytea]", [Buffer.from([1])]],
    ["ARRAY['2025-01-02T03:04:05.678Z'::timestamptz]", [new Date('2025-01-02T03:04:05.678Z')]],
    ["'2025-01-02T03:04:05.678901+02'::timestamptz", new Date('2025-01-02T01:04:05.678Z')],
    ["'12025-01-02T03:04:05Z'::timestamptz", new Date('+012025-01-02T03:04:05Z')],
    ["'0044-03-15 12:00:00Z BC'::timestamptz", new Date('-000043-03-15T12:00:00Z')],
    ["'infinity'::timestamptz", new Date(8.64e15)],
    ["'-infinity'::timestamptz", new Date(-8.64e15)],
  ])('%s is read as %j', async (sql, value) => {
    expect(await read(sql)).toEqual(value)
  })

  test.each<[string, unknown]>([
    ['int4', -5],
    ['int8', Number.MAX_SAFE_INTEGER],
    ['float8', 1e-300],
    ['bool', true],
    ['text', 'it\'s "ü" \\ and\nmore'],
    ['bytea', Buffer.from([0, 1, 254, 255])],
    ['jsonb', { a: [{ b: 'c"\'' }], n: null }],
    ['int4[]', [1, null, -3]],
    ['text[]', ['a', 'NULL', null, '', 'b"\\,{}']],
    ['bool[]', [true, false, null]],
    ['bytea[]', [Buffer.from([1]), null, Buffer.from([])]],
    ['jsonb[]', [{ a: '"' }, null]],
    [
      'int4[]',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [TIMESTAMPTZ, new Date('2025-01-02T03:04:05.678Z')],
    [TIMESTAMPTZ, new Date('0001-01-01T00:00:00Z')],
    [TIMESTAMPTZ, new Date('-000043-03-15T12:00:00Z')],
    [TIMESTAMPTZ, new Date('+012025-01-02T03:04:05Z')],
    [TIMESTAMPTZ, new Date(8.64e15)],
    ['timestamptz[]', [new Date(0), null]],
    ['int4', null],
  ])('a %s comes back as it was sent: %j', async (type, value) => {
    expect(await send(value as never, type)).toEqual(value)
  })

  test('a bigint is sent whole', async () => {
    expect(await send(9223372036854775807n as never, 'int8::text')).toBe('9223372036854775807')
  })

  test('any bytes are sent, not only a Buffer', async () => {
    expect(await send(new Uint8Array([9, 8, 7]).subarray(1) as never, 'bytea')).toEqual(Buffer.from([8, 7]))
  })

  test.each([
    [undefined, /parameter \$1 is undefined/],
    [new Date(Number.NaN), /parameter \$1 is an invalid Date/],
    [() => 1, /parameter \$1 is function/],
  ])('%s is refused with the parameter named', async (value, message) => {
    const failure = await send(value as never, 'text').catch(error => error)
    expect(failure).toBeInstanceOf(DatabaseError)
    expect(failure).toMatchObject({ outcome: 'rejected', message: expect.stringMatching(message) })
  })

  test('a million bytes and text of every plane survive', async () => {
    const bytes = Buffer.alloc(1_000_000, 'posthorn')
    expect(bytes.equals((await send(bytes as never, 'bytea')) as Buffer)).toBe(true)
    const text = 'a€😀\u{10ffff}'.repeat(10_000)
    expect(await send(text as never, 'text')).toBe(text)
  })

  test('rows gives every value as PostgreSQL prints it', async () => {
    const statement = { name: '', text: `SELECT 1, NULL, true, '{1}'::int4[], $1::int4 + 1` }
    expect(await open().rows(statement, ['41'])).toEqual([['1', null, 't', '{1}', '42']])
    expect(await open().hot.rows(statement, ['41'])).toEqual([['1', null, 't', '{1}', '42']])
  })
})
