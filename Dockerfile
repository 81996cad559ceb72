# One image for the api, which is what it starts, and for the pipeline: docker run IMAGE node dist/cli/main.js --help
ARG NODE_IMAGE=node:26-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app

# Behind a registry of your own: docker build --secret id=npmrc,src=$HOME/.npmrc . It stays out of every layer.
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts --no-audit --no-fund

COPY build.mjs tsconfig.json ./
COPY src ./src
COPY sql ./sql
RUN node build.mjs

# From DuckDB's own repository, or from one like it: --build-arg DUCKDB_EXTENSION_REPOSITORY=http://…
ARG DUCKDB_EXTENSION_REPOSITORY
RUN DUCKDB_EXTENSION_DIRECTORY=/opt/duckdb node dist/cli/main.js install-extension

# Most packages are inside the bundles. Types come along as peers. The package of SQLite has binaries for other machines, and its sources.
# A Spark needs a package that is optional elsewhere, and that npm would count among those for development.
COPY docker/runtime-packages.mjs docker/
RUN npm pkg set --json dependencies="$(node docker/runtime-packages.mjs)" \
 && npm pkg delete devDependencies peerDependencies peerDependenciesMeta \
 && npm prune --omit=dev --ignore-scripts --offline --no-audit --no-fund \
 && rm -rf node_modules/.package-lock.json node_modules/@types node_modules/undici-types node_modules/@photostructure/sqlite/src \
 && find node_modules/@photostructure/sqlite/prebuilds -name "*.node" ! -path "*/linux-$(node -p process.arch)/*.glibc.node" -delete \
 && find node_modules -type d -empty -delete


FROM ${NODE_IMAGE}
WORKDIR /app
RUN install --directory --owner=node --group=node /data \
 && ln -s /app/dist/cli/main.js /usr/local/bin/pipeline \
 && ln -s /data /app/data
COPY --from=build /opt/duckdb /opt/duckdb
COPY --from=build /app/node_modules ./node_modules
COPY package.json start.sh ./
COPY sql ./sql
COPY --from=build /app/dist ./dist

# Whoever uses it with folders mounts one at /data. With zones on S3 and MySQL nothing is written there. The database is there, too:
# CONSUMPTION_URL is not set here, so that CONSUMPTION_URL_FILE can be.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    RAW_ZONE=/data/raw \
    CURATED_ZONE=/data/curated \
    PROVISION_ZONE=/data/provision \
    RUN_REPORTS=/data/runs \
    DUCKDB_EXTENSION_DIRECTORY=/opt/duckdb

# The user "node" by number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# V8 is held to a small heap, see docs/operating.md.
CMD ["node", "--max-semi-space-size=2", "--v8-pool-size=1", "dist/api/main.js"]

ARG NODE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="voucher-pipeline" \
      org.opencontainers.image.description="Finds the voucher amount that is used most in each country and customer segment, and serves it over HTTP." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
