# syntax=docker/dockerfile:1
# The receiver, its web UI and nothing else. The build stage makes the whole workspace, as `npm run setup` does anywhere.

FROM node:24-slim AS build
WORKDIR /src
COPY . .
RUN npm run setup
# Copies the receiver with its production dependencies, and no other package, to /app.
RUN npx --yes "$(node -p 'require("./package.json").packageManager')" \
    --filter @pyroscope-ts/receiver deploy --prod --legacy /app

FROM node:24-slim
COPY --from=build /app /app
# The program's files belong to root: a defect in it cannot change them.
RUN install -d -o node -g node -m 0700 /data
USER node
WORKDIR /data
VOLUME /data
ENV NODE_ENV=production \
    PYROSCOPE_API_BIND_ADDR=:4040 \
    PYROSCOPE_STORAGE_PATH=/data
EXPOSE 4040
# Not for a server with TLS of its own: give the container another check there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:4040/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Beyond loopback the server wants PYROSCOPE_AUTH_TOKEN, or --insecure.
ENTRYPOINT ["node", "/app/bin/pyroscope.js"]
CMD ["server"]
