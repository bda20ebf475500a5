/** A subscription over WebSocket, in the protocol graphql-transport-ws. */

/**
 * Calls `heard` with every answer, and `ended` once with why there will be no more. Gives what ends it.
 * @param {string} url of the WebSocket
 * @param {{query: string, variables?: object, operationName?: string}} payload
 * @param {object} params what a browser cannot send as headers
 */
export function subscribe(url, payload, params, { heard, ended }, Socket = WebSocket) {
  const socket = new Socket(url, 'graphql-transport-ws')
  const send = word => socket.send(JSON.stringify(word))
  const actions = {
    connection_ack: () => send({ id: '1', type: 'subscribe', payload }),
    next: word => heard(word.payload),
    error: word => finish({ errors: word.payload }),
    complete: () => finish('complete'),
    ping: () => send({ type: 'pong' }),
  }
  let over = false
  function finish(reason) {
    if (over) return
    over = true
    ended(reason)
    socket.close(1000)
  }
  socket.onopen = () => send({ type: 'connection_init', payload: params })
  socket.onmessage = ({ data }) => {
    const word = JSON.parse(data)
    actions[word.type]?.(word)
  }
  socket.onclose = ({ code, reason }) => finish(reason || `closed with ${code}`)
  return () => finish('stopped')
}
