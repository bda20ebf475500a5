/**
 * What graphql says of a value that does not fit, without the value: it may be a secret, and errors end in logs of callers.
 * Where it stands and what it should have been is enough to find it.
 */
const VARIABLE = /^(Variable "\$\w+" got invalid value) [\s\S]*$/
const PLACE = / at "([\w.[\]]+)"; /g
const REASON =
  /(?:(?:Int|Float|String|Boolean|ID) cannot represent [a-z0-9 -]+ value|Expected (?:non-nullable )?(?:value of )?type "[\w![\]]+"[^"{[]*|Field "\w+" [^"{[]*"[\w![\]]+"[^"{[]*|[\w ]+ must be [\w ,:.+-]+)/g

export function withoutValues(message: string): string {
  const variable = VARIABLE.exec(message)
  if (variable) {
    const place = [...message.matchAll(PLACE)].at(-1)?.[1]
    const reason = [...message.matchAll(REASON)].at(-1)?.[0].trim() ?? 'it does not fit'
    return `${variable[1]}${place ? ` at "${place}"` : ''}; ${reason}`
  }
  return message
    .replace(/( cannot represent [a-z0-9 -]+ value): [\s\S]*$/, '$1')
    .replace(/(Expected value of type "[\w![\]]+"), found [\s\S]*$/, '$1')
    .replace(/(, found (?:Block)?String) "[\s\S]*$/, '$1')
}
