# A template: fill.sh fills in the repository and the checksums, which are known only at a release.
# Homebrew formula of nodeglass, for a tap.
class Nodeglass < Formula
  desc "Terminal dashboard of Kubernetes nodes and their cost"
  homepage "https://github.com/@REPOSITORY@"
  version "0.1.0"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/@REPOSITORY@/releases/download/v0.1.0/nodeglass-0.1.0-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256 nodeglass-0.1.0-aarch64-apple-darwin.tar.gz@"
    end
    on_intel do
      url "https://github.com/@REPOSITORY@/releases/download/v0.1.0/nodeglass-0.1.0-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256 nodeglass-0.1.0-x86_64-apple-darwin.tar.gz@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/@REPOSITORY@/releases/download/v0.1.0/nodeglass-0.1.0-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 nodeglass-0.1.0-aarch64-unknown-linux-musl.tar.gz@"
    end
    on_intel do
      url "https://github.com/@REPOSITORY@/releases/download/v0.1.0/nodeglass-0.1.0-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@SHA256 nodeglass-0.1.0-x86_64-unknown-linux-musl.tar.gz@"
    end
  end

  def install
    bin.install "nodeglass"
    # kubectl runs it as a plugin: kubectl nodeglass
    bin.install_symlink bin/"nodeglass" => "kubectl-nodeglass"
    man1.install "nodeglass.1"
    bash_completion.install "completions/nodeglass.bash" => "nodeglass"
    fish_completion.install "completions/nodeglass.fish"
    zsh_completion.install "completions/_nodeglass"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/nodeglass --version")
    assert_match "nodes", shell_output("#{bin}/nodeglass snapshot --demo")
  end
end
