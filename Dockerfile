# Two stages: the first turns the repository into a virtual environment, the second runs it and holds nothing else.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/consent-service
COPY requirements requirements
RUN /opt/consent-service/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
RUN python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/build/bin/python -m build --wheel --no-isolation --outdir /build/dist \
    && /opt/consent-service/bin/pip install --no-cache-dir --no-deps /build/dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data consent && install --directory --owner consent /data
COPY --from=build /opt/consent-service /opt/consent-service
ENV PATH=/opt/consent-service/bin:$PATH PYTHONDONTWRITEBYTECODE=1 CONSENT_HOST=0.0.0.0
# The root may be read-only; everything that is written lies in the volume.
WORKDIR /data
VOLUME /data
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
CMD ["consent-service", "serve"]
