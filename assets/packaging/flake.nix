# nix run 'github:OWNER/nodeglass?dir=assets/packaging', or in a clone: nix run ./assets/packaging
{
  description = "Terminal dashboard of Kubernetes nodes and their cost";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs = { self, nixpkgs }:
    let
      cargo = builtins.fromTOML (builtins.readFile ../../Cargo.toml);
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = cargo.package.name;
          version = cargo.package.version;
          src = ../..;
          buildType = "dist";
          cargoLock.lockFile = ../../Cargo.lock;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # The tests open terminals and loopback servers, which the build sandbox does not have everywhere.
          doCheck = false;
          postInstall = ''
            ln -s nodeglass $out/bin/kubectl-nodeglass
            installManPage assets/nodeglass.1
            installShellCompletion --bash assets/completions/nodeglass.bash
            installShellCompletion --fish assets/completions/nodeglass.fish
            installShellCompletion --zsh assets/completions/_nodeglass
          '';
          meta = {
            description = cargo.package.description;
            license = pkgs.lib.licenses.asl20;
            mainProgram = "nodeglass";
          };
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell { packages = [ pkgs.cargo pkgs.rustc pkgs.clippy pkgs.rustfmt ]; };
      });
    };
}
