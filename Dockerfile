# syntax=docker/dockerfile:1
# One node of Posthorn. How to run it: docs/guides/docker.md. `node scripts/image.mjs` does these steps without Docker.

FROM node:22-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY packages/contract/package.json packages/contract/
COPY packages/client/package.json packages/client/
COPY packages/server/package.json packages/server/
RUN npm ci --no-audit --no-fund --omit=optional
COPY tsconfig.base.json ./
COPY scripts scripts
COPY packages packages
RUN node scripts/build.mjs --quick

FROM node:22-slim AS production
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/contract/package.json packages/contract/
COPY packages/client/package.json packages/client/
COPY packages/server/package.json packages/server/
RUN npm ci --no-audit --no-fund --omit=dev --omit=optional --ignore-scripts --workspace=@posthorn/contract --workspace=@posthorn/client --workspace=posthorn

FROM node:22-slim
ENV NODE_ENV=production POSTHORN_HOST=0.0.0.0 POSTHORN_PORT=3042 POSTHORN_DATA_DIR=/data
WORKDIR /app
COPY --from=production /app ./
COPY --from=build /src/packages/contract/dist packages/contract/dist
COPY --from=build /src/packages/client/dist packages/client/dist
COPY --from=build /src/packages/server/dist packages/server/dist
COPY packages/server/bin packages/server/bin
COPY packages/server/migrations packages/server/migrations
COPY LICENSE ./
RUN ln -s /app/packages/server/bin/posthorn.mjs /usr/local/bin/posthorn && mkdir -p /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3042
# SIGTERM lets attempts finish: give it longer than the setting shutdownTimeout (30 s) before it is killed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.POSTHORN_PORT}/health/live`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["posthorn"]
CMD ["serve"]
