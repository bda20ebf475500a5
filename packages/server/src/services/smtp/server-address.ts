export interface MailServer {
  readonly host: string
  readonly port: number
  readonly encryption: 'always' | 'starttls' | 'offered'
}

const BY_SCHEME = {
  ssl: { port: 465, encryption: 'always' },
  tls: { port: 587, encryption: 'starttls' },
  smtp: { port: 587, encryption: 'offered' },
} as const

/** Reads `ssl://mail.example.org:465`; null if it is none. */
export function readServer(text: string): MailServer | null {
  const parts =
    /^(?<scheme>ssl|tls|smtp):\/\/(?:\[(?<v6>[0-9a-f:.]+)\]|(?<host>[a-z0-9_.-]+))(?::(?<port>\d{1,5}))?\/?$/i.exec(
      text,
    )?.groups
  const host = parts?.v6 ?? parts?.host
  if (parts === undefined || host === undefined) return null
  const rule = BY_SCHEME[parts.scheme!.toLowerCase() as keyof typeof BY_SCHEME]
  const port = parts.port === undefined ? rule.port : Number(parts.port)
  return port < 1 || port > 65_535 ? null : { host: host.toLowerCase(), port, encryption: rule.encryption }
}

export function wrongServer(text: string): string | null {
  return readServer(text) === null ? 'be ssl://host:port, tls://host:port or smtp://host:port' : null
}
