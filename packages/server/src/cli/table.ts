/** Rows under one another, as wide as they have to be; nothing is cut off. */
export function printTable(rows: readonly Readonly<Record<string, string | number | null>>[]): string {
  if (rows.length === 0) return 'none'
  const names = Object.keys(rows[0]!)
  const lines = [names.map(name => name.toUpperCase()), ...rows.map(row => names.map(name => String(row[name] ?? '-')))]
  const widths = names.map((_, i) => Math.max(...lines.map(line => line[i]!.length)))
  return lines
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
