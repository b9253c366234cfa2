#include "shard_thread.h"

#include <future>
#include <utility>

namespace syncrelay::testing {

ShardThread::ShardThread(const Shard::Settings& settings, const Clock& clock, Behaviour behave)
    : behave_(std::move(behave)), shard_(settings, clock, stats_, outbox_, [this] { wake(); }) {}

ShardThread::~ShardThread() {
  abandon();
}

void ShardThread::start() {
  thread_ = std::thread([this] { run(); });
}

void ShardThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  drain();
}

void ShardThread::abandon() {
  shard_.letters().close();
  stop();
  for (const auto& client : clients_) disconnect(*client);
}

void ShardThread::post_task(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void ShardThread::run_task(const std::function<void()>& task) {
  std::promise<void> done;
  post_task([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

ThreadedClient& ShardThread::connect(const ClientRequest& request) {
  clients_.push_back(std::make_unique<ThreadedClient>());
  ThreadedClient& client = *clients_.back();
  client.session = &shard_.add(ConnectionId{++next_id_}, client.transport, request);
  return client;
}

void ShardThread::disconnect(ThreadedClient& client) {
  if (client.session == nullptr) return;
  shard_.remove(*std::exchange(client.session, nullptr));
}

void ShardThread::hear(ThreadedClient& client, const ClientMessage& message) {
  shard_.hear(*client.session, message);
  client.session->answer();
}

void ShardThread::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void ShardThread::run() {
  while (wait()) {
    busy_ = shard_.run();
    serve_clients();
  }
}

// For something to do; runs the tasks. False when it is time to stop.
bool ShardThread::wait() {
  std::vector<std::function<void()>> tasks;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return busy_ || woken_ || stopping_ || !tasks_.empty(); });
    if (stopping_) return false;
    woken_ = false;
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
  return true;
}

void ShardThread::serve_clients() {
  for (const auto& client : clients_) {
    if (client->session == nullptr) continue;
    if (behave_) behave_(*client);
    client->transport.become_writable(*client->session);
    for (WireMessage& message : client->transport.take_messages())
      client->messages.push_back(std::move(message));
    busy_ = busy_ || client->transport.waits();
  }
}

// On the stopping thread, which owns everything by now.
void ShardThread::drain() {
  do {
    while (shard_.run()) {
    }
    busy_ = false;
    for (const auto& client : clients_) {
      if (client->session != nullptr) client->transport.flow();
    }
    for (const auto& client : clients_) {
      if (client->session == nullptr) continue;
      while (client->transport.waits()) client->transport.become_writable(*client->session);
      for (WireMessage& message : client->transport.take_messages())
        client->messages.push_back(std::move(message));
    }
  } while (!shard_.drained());
}

}  // namespace syncrelay::testing
