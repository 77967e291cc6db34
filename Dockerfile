# Two images from one file:
#   docker build .                      the service (the last stage)
#   docker build --target tarantool .   its store: Tarantool with the stored functions that this version of the service calls
ARG NODE_IMAGE=node:22-bookworm-slim
ARG TARANTOOL_IMAGE=tarantool/tarantool:3

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${TARANTOOL_IMAGE} AS tarantool
# Whichever user the base image sets, only root can make the folder. A new named volume takes over the folder's owner.
USER 0:0
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/kv
COPY tarantool /opt/kv
USER 10001:10001
# Other containers can reach it. Do not publish this port to anybody else.
ENV DATA_DIR=/var/lib/kv \
    TARANTOOL_LISTEN=0.0.0.0:3301
VOLUME /var/lib/kv
EXPOSE 3301
STOPSIGNAL SIGTERM
# Tarantool listens only when its data is loaded and its functions are in place. So a greeting means that it serves.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["tarantool", "-e", "local s = require('socket').tcp_connect('127.0.0.1', 3301, 2); os.exit(s and #(s:read(128, 2) or '') == 128 and 0 or 1)"]
# Skips the entry point of the base image, which configures an instance from other variables.
ENTRYPOINT ["tarantool"]
CMD ["/opt/kv/kv.lua"]

FROM ${NODE_IMAGE} AS service
# This image has no Tarantool. Without TARANTOOL_HOST the service says so and does not start.
ENV NODE_ENV=production \
    TARANTOOL_EMBEDDED=false
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
USER node
EXPOSE 5000
STOPSIGNAL SIGTERM
# Checks liveness and not readiness: an unhealthy container is replaced, and a new one would not bring back a store
# that is unreachable.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 5000}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
