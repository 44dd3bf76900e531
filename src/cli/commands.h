// Every command: what it takes, and the function that runs it. One file a group.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/invocation.h"
#include "engine/adopt.h"
#include "engine/emergency.h"
#include "engine/guarded_install.h"
#include "engine/recovery.h"
#include "engine/rollback.h"
#include "engine/updater.h"

namespace stravinsky::cli {

// command_update.cc
ExitCode run_update(const Invocation& invocation, engine::UpdateRequest request);

// command_check.cc: the live tree when update.source is empty
ExitCode run_check(const Invocation& invocation, engine::UpdateRequest update);

// command_installer.cc
ExitCode run_update_begin(const Invocation& invocation, const engine::BeginRequest& request);
ExitCode run_update_finish(const Invocation& invocation, const engine::FinishRequest& request);

// command_adopt.cc
ExitCode run_adopt(const Invocation& invocation, engine::AdoptRequest request);

// command_bundle.cc
struct BundleArguments {
  std::string source;  // a bundle, or the directory to make one of
  std::string output;  // -o
  std::string key;     // --key: a file, or a public key itself
  std::optional<std::string> subdir;
  std::optional<std::string> sha256;
};
ExitCode run_bundle_inspect(const Invocation& invocation, const BundleArguments& arguments);
ExitCode run_bundle_create(const Invocation& invocation, const BundleArguments& arguments);
ExitCode run_bundle_keygen(const Invocation& invocation, const BundleArguments& arguments);
ExitCode run_bundle_sign(const Invocation& invocation, const BundleArguments& arguments);
ExitCode run_bundle_verify(const Invocation& invocation, const BundleArguments& arguments);

// command_rollback.cc
ExitCode run_rollback_list(const Invocation& invocation);
ExitCode run_rollback_to(const Invocation& invocation, const engine::RollbackRequest& request);
ExitCode run_undo(const Invocation& invocation);
ExitCode run_redo(const Invocation& invocation);

// command_backup.cc
struct BackupCreateArguments {
  std::string label;
  bool pin = false;
};
struct BackupVerifyArguments {
  std::string id;  // empty: all
  bool quick = false;
};
// Warns of every backup whose manifest cannot be believed; the same as an array.
nlohmann::json tell_damaged(const Output& output, const store::BackupList& list);
ExitCode run_backup_create(const Invocation& invocation, const BackupCreateArguments& arguments);
ExitCode run_backup_list(const Invocation& invocation);
ExitCode run_backup_show(const Invocation& invocation, const std::string& version_or_id);
ExitCode run_backup_verify(const Invocation& invocation, const BackupVerifyArguments& arguments);

// command_recovery.cc
struct ResumeArguments {
  bool accept_root = false;
  std::string set_aside;  // a transaction's id
};
ExitCode run_recover_file(const Invocation& invocation, const engine::RecoverFileRequest& request);
ExitCode run_recover_directory(const Invocation& invocation,
                               const engine::RecoverDirectoryRequest& request);
ExitCode run_file_history(const Invocation& invocation, const std::string& path);
struct CopyOutArguments {
  std::string path;
  std::string version_or_id;
  std::string to;
};
ExitCode run_copy_out(const Invocation& invocation, const CopyOutArguments& arguments);
ExitCode run_resume(const Invocation& invocation, const ResumeArguments& arguments);

// command_emergency.cc
ExitCode run_emergency(const Invocation& invocation, const engine::EmergencyRequest& request);
ExitCode run_disarm(const Invocation& invocation);
ExitCode run_arm(const Invocation& invocation);

// command_doctor.cc
struct DoctorArguments {
  bool fix = false;
};
ExitCode run_doctor(const Invocation& invocation, const DoctorArguments& arguments);

// command_report.cc
struct ReportArguments {
  std::string output;  // a new file; empty: standard output
};
ExitCode run_report(const Invocation& invocation, const ReportArguments& arguments);

// command_audit.cc
struct AuditLogArguments {
  std::string type;
  std::string version;
  std::string status;
  std::string from;
  std::string to;
  uint64_t limit = 1000;
};
ExitCode run_audit_log(const Invocation& invocation, const AuditLogArguments& arguments);
ExitCode run_audit_verify(const Invocation& invocation);

// command_status.cc
ExitCode run_status(const Invocation& invocation);
ExitCode run_config_list(const Invocation& invocation);
ExitCode run_version(const Invocation& invocation);

}  // namespace stravinsky::cli
