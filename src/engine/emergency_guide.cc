#include "engine/emergency_guide.h"

#include "base/strings.h"
#include "fs/atomic_file.h"
#include "fs/file.h"
#include "model/store_layout.h"

namespace stravinsky::engine {

namespace layout = model::layout;

std::string emergency_guide_text(const Session& session, const EmergencyResult& result) {
  const std::string store = session.store_path();
  const std::string tree = session.roots().user.path;
  const std::string store_word = shell_quote(store);
  std::string text = "EMERGENCY GUIDE\n\nNo backup of " + escape(tree) +
                     " is whole. Nothing was deleted: what is damaged lies in\n" + escape(store) +
                     "/quarantine, with the reason beside it.\n";
  if (!result.missing.empty()) {
    text += "\nBrought back was what could be had. These are not as they were:\n";
    for (const std::string& path : result.missing) text += "    " + path + "\n";
  }
  text += "\nWhat was looked at, the newest first:\n";
  for (const Candidate& candidate : result.candidates) {
    text += "    " + escape(candidate.id) + ": " +
            std::string(candidate_state_name(candidate.state)) + "\n";
    for (const std::string& problem : candidate.problems) text += "        " + problem + "\n";
  }
  if (result.candidates.empty()) text += "    no backup at all\n";
  text +=
      "\nWhere else the files may be, the best first. Every command only reads, until you copy.\n"
      "\n1. What earlier operations displaced. Undo reads it:\n"
      "    stravinsky rollback undo --dry-run\n"
      "    stravinsky rollback undo\n"
      "\n2. What was installed, as it was delivered:\n"
      "    ls " +
      store_word +
      "/bundles\n"
      "    stravinsky update --from " +
      store_word +
      "/bundles/VERSION --dry-run\n"
      "\n3. Single files, with tar alone. Gzip reads as far as an archive is good:\n"
      "    ls " +
      store_word + "/backups " + store_word +
      "/quarantine\n"
      "    mkdir " +
      shell_quote(session.environment().home + "/salvage") +
      "\n"
      "    tar xzf " +
      store_word + "/quarantine/BACKUP/hooks.tar.gz -C " +
      shell_quote(session.environment().home + "/salvage") +
      "\n"
      "    (tar names the place where it ends; what came out before that is good)\n"
      "\n4. Versions that were set aside at conflicts:\n"
      "    ls -R " +
      store_word +
      "/recovery/conflicts\n"
      "\n5. Another copy of the store: a backup of this machine, an earlier disk. Put it beside\n"
      "   this one and use it:\n"
      "    stravinsky --root COPY recovery emergency --dry-run\n"
      "\nIf a hook blocks everything meanwhile:\n"
      "    stravinsky recovery disarm\n";
  return text;
}

Result<std::string> save_emergency_guide(const Session& session, const EmergencyResult& result) {
  const fs::RelPath name = layout::emergency_guide();
  RETURN_IF_ERROR(
      fs::ensure_dir(session.fs(), session.store().fd(), name.parent(), layout::kDirectoryMode));
  RETURN_IF_ERROR(fs::write_atomically(session.fs(), session.store().fd(), name,
                                       emergency_guide_text(session, result)));
  return session.store_path() + "/" + name.str();
}

}  // namespace stravinsky::engine
