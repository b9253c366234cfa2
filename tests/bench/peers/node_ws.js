// Node's `ws` as it is commonly used: one send per client and event. POST /publish broadcasts its
// body.
'use strict';

const http = require('http');
const { WebSocketServer, WebSocket } = require('ws');

let seq = 0;
const server = http.createServer(publish);
const sockets = new WebSocketServer({ server, path: '/ws/sync', perMessageDeflate: false });

function publish(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    broadcast(JSON.parse(Buffer.concat(chunks)));
    response.writeHead(204).end();
  });
}

function broadcast(data) {
  seq += 1;
  const message = Buffer.from(JSON.stringify({ type: 'bench', data, ts: Date.now() / 1000, seq }));
  for (const client of sockets.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(message, { binary: false });
  }
}

sockets.on('connection', (client) => {
  client.on('error', () => client.terminate());
  const data = { comparison: null, radio: null };
  client.send(JSON.stringify({ type: 'sync:full', data, ts: Date.now() / 1000, seq }));
});

server.listen({ host: '127.0.0.1', port: 0, backlog: 2048 }, () => {
  const ready = { ready: true, port: server.address().port, pid: process.pid };
  console.log(JSON.stringify(ready));
});
