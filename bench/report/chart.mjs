/** A chart of horizontal bars as SVG text, in panels one below the other; readable on light and on dark pages. */

const WIDTH = 760
const LABEL = 230
const BAR = 20
const GAP = 8
const HEAD = 44
const OURS = '#2f6fde'
const OTHERS = '#8a94a6'

/** panels: { title, bars: [{ label, value, text, ours }] } */
export function drawChart(panels) {
  let top = 0
  const parts = panels.flatMap(panel => {
    const drawn = drawPanel(panel, top)
    top += HEAD + panel.bars.length * (BAR + GAP) + GAP
    return drawn
  })
  const style = 'text{font:13px system-ui,sans-serif;fill:#5b6472}.title{font-weight:600;font-size:15px}'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">
<style>${style}</style>
${parts.join('\n')}
</svg>
`
}

function drawPanel({ title, bars }, top) {
  const most = Math.max(...bars.map(({ value }) => value))
  const room = WIDTH - LABEL - 110
  return [
    `<text class="title" x="0" y="${top + 26}">${escapeText(title)}</text>`,
    ...bars.flatMap(({ label, value, text, ours }, i) => {
      const y = top + HEAD + i * (BAR + GAP)
      const width = Math.max(1, Math.round((value / most) * room))
      return [
        `<text x="${LABEL - 8}" y="${y + 15}" text-anchor="end">${escapeText(label)}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${ours ? OURS : OTHERS}"/>`,
        `<text x="${LABEL + width + 6}" y="${y + 15}">${escapeText(text)}</text>`,
      ]
    }),
  ]
}

function escapeText(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '')
}
