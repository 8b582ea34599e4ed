"""TLS in front of a server that has none: ``python -m tests.support.servers.tls_proxy PORT BEHIND IDENTITY [AUTHORITY]``.

With an authority it requires a client certificate. The test ends the process.
"""

import asyncio
import ssl
import sys


async def main(port: int, behind: int, identity: str, authority: str = "") -> None:
    """Forward connections to ``port`` until the process ends."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity)
    if authority:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(
            _pump(reader, behind_writer), _pump(behind_reader, writer), return_exceptions=True
        )

    server = await asyncio.start_server(forward, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
