// FakeProcessRunner: scripted answers in place of other programs, and a list of
// what was asked for. Programs without an answer do not exist (kNotFound).
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "base/process_runner.h"

namespace stravinsky::testing {

class FakeProcessRunner final : public ProcessRunner {
 public:
  using Answer = std::function<Result<ProcessResult>(const ProcessRequest&)>;

  // Whenever argv[0] equals program.
  void answer(const std::string& program, Answer answer) { answers_[program] = std::move(answer); }
  void answer(const std::string& program, ProcessResult result) {
    answers_[program] = [result = std::move(result)](const ProcessRequest&) {
      return Result<ProcessResult>(result);
    };
  }

  Result<ProcessResult> run(const ProcessRequest& request) override {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(request);
    const std::string program = request.argv.empty() ? "" : request.argv.front();
    const auto found = answers_.find(program);
    if (found == answers_.end()) {
      return make_error(ErrorCode::kNotFound, "there is no such program", program);
    }
    return found->second(request);
  }

  // Every request so far, answered or not. Not while another thread runs programs.
  const std::vector<ProcessRequest>& requests() const { return requests_; }

 private:
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::vector<ProcessRequest> requests_;
};

}  // namespace stravinsky::testing
