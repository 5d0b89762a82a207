# Two stages: the first turns the repository into a virtual environment, the second runs it and holds nothing else.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements requirements
RUN python -m venv /opt/build \
    && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt
# The environment that is shipped holds no pip: what runs a shop's service installs nothing.
RUN python -m venv --without-pip /opt/consent-service \
    && python -m pip --python /opt/consent-service/bin/python install \
        --no-cache-dir --require-hashes --only-binary :all: -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/python -m build --wheel --no-isolation --outdir /build/dist \
    && python -m pip --python /opt/consent-service/bin/python install --no-cache-dir --no-index --no-deps /build/dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin consent \
    && install --directory --owner consent --group consent --mode 0700 /data
COPY --from=build /opt/consent-service /opt/consent-service
ENV PATH=/opt/consent-service/bin:$PATH PYTHONDONTWRITEBYTECODE=1 CONSENT_HOST=0.0.0.0 CONSENT_PORT=8080
# The root may be read-only (docker run --read-only); everything that is written lies in the volume.
WORKDIR /data
VOLUME /data
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"CONSENT_PORT\"]}/readyz', timeout=2)"]
CMD ["consent-service", "serve"]
