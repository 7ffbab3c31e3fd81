/// What `--version`, `/health` and `carillon_build_info` say.
package enum CarillonVersion {
    package static let text = "0.1.0"
}
