# lockstep runs its TypeScript as it is: the image is Node, Git and the sources.
FROM node:24-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has Node 24 already: the bundled one is left out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY src ./src
COPY manifests ./manifests

RUN mkdir /data && chown 65532:65532 /data
# A small young generation costs little speed and saves 40 MiB.
ENV NODE_ENV=production HOME=/tmp NODE_COMPILE_CACHE=/tmp/compile-cache NODE_OPTIONS=--max-semi-space-size=4
USER 65532:65532
VOLUME /data
EXPOSE 6443 3000 8080 9090
ENTRYPOINT ["node", "/app/src/bin.mjs"]
CMD ["run", "--state", "/data", "--listen", "0.0.0.0", "--http-port", "8080", "--internal-port", "9090"]
