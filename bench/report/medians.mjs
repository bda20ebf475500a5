/** From the rows of all rounds to one row each: the medians, and what must not have happened in any round. */

/** What happened in one round happened: these are added up. */
const COUNTS = ['lost', 'duplicates', 'strangers']

/** Gives the median over the rounds of every figure, for each scenario, contender and kind. */
export function mediansOf(rows) {
  const groups = new Map()
  for (const row of rows) {
    const name = [row.scenario, row.contender, row.kind].join(' | ')
    groups.set(name, [...(groups.get(name) ?? []), row])
  }
  return [...groups.values()].map(group => {
    const [{ scenario, contender, kind, figures }] = group
    const medians = Object.keys(figures).map(name => {
      const values = group.map(row => row.figures[name])
      return [name, COUNTS.includes(name) ? values.reduce((sum, one) => sum + one, 0) : median(values)]
    })
    return { scenario, contender, kind, rounds: group.length, figures: Object.fromEntries(medians) }
  })
}

/** Losses of anyone, and what arrived that nobody had sent. Duplicates are counted and shown, but at least once allows them. */
export function faultsOf(rows) {
  return rows
    .filter(({ figures }) => figures.lost > 0 || figures.strangers > 0)
    .map(({ scenario, contender, kind, round, figures }) => {
      const { lost, strangers = 0 } = figures
      return `${scenario}, ${contender}, ${kind}, round ${round}: ${lost} lost, ${strangers} that nobody sent`
    })
}

function median(values) {
  const sorted = values.filter(value => value !== undefined && value !== null).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
