# The base layer: an operating system with all that the appliance runs, and nothing of any one mini-PC.
# By hand: see CONTRIBUTING.md. Both sources end in the same provisioners.

packer {
  required_version = ">= 1.9.0"
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.0.9"
    }
  }
}

variable "source_path" {
  type        = string
  description = "The cloud image (qcow2) or the live-server ISO, already fetched and checked."
}

variable "source_sha256" {
  type        = string
  description = "SHA-256 of source_path."
}

variable "output_directory" {
  type        = string
  description = "Where Packer puts base.raw; it must not exist."
}

variable "ssh_private_key_file" {
  type        = string
  description = "Private key of this build alone."
}

variable "ssh_public_key" {
  type        = string
  description = "Its public half; the last clean-up removes it with the build user."
}

variable "qemu_binary" {
  type    = string
  default = "qemu-system-x86_64"
}

variable "accelerator" {
  type        = string
  default     = "kvm"
  description = "kvm, hvf or tcg."
}

variable "offline" {
  type        = bool
  default     = false
  description = "Cut the guest off from every network: for a base that has its packages already."
}

variable "disk_size" {
  type        = string
  default     = "8G"
  description = "Disk of the autoinstall; a cloud image keeps its own size."
}

locals {
  # templatefile() takes a relative path as one below the template's folder.
  here = abspath(path.root)
  # The plugin's own default forwards ssh from every address of this machine.
  netdev = join(",", compact([
    "user",
    "id=user.0",
    var.offline ? "restrict=on" : "",
    "hostfwd=tcp:127.0.0.1:{{ .SSHHostPort }}-:22",
  ]))
  cpu       = var.accelerator == "tcg" ? "max" : "host"
  user_data = templatefile("${local.here}/http/user-data", { ssh_public_key = var.ssh_public_key })
  meta_data = file("${local.here}/http/meta-data")
}

# What both ways to a base have in common.
source "qemu" "base" {
  iso_url              = var.source_path
  iso_checksum         = "sha256:${var.source_sha256}"
  accelerator          = var.accelerator
  qemu_binary          = var.qemu_binary
  cpus                 = 2
  headless             = true
  vnc_bind_address     = "127.0.0.1"
  format               = "raw"
  disk_interface       = "virtio"
  disk_discard         = "unmap"
  disk_detect_zeroes   = "unmap"
  net_device           = "virtio-net"
  output_directory     = var.output_directory
  vm_name              = "base.raw"
  communicator         = "ssh"
  ssh_username         = "packer"
  ssh_private_key_file = var.ssh_private_key_file
  shutdown_command     = "sudo /usr/local/lib/bootstrap-pxe/seal"
  shutdown_timeout     = "10m"
  qemuargs = [
    ["-netdev", local.netdev],
    ["-cpu", local.cpu],
    ["-serial", "file:${var.output_directory}.serial.log"],
  ]
}

build {
  source "qemu.base" {
    name             = "cloud-image"
    disk_image       = true
    skip_resize_disk = true
    memory           = 1024
    ssh_timeout      = "20m"
    # Without AHCI and without a second controller: what every cloud kernel boots from.
    machine_type = "pc"
    cd_label     = "cidata"
    cd_content = {
      "meta-data" = local.meta_data
      "user-data" = templatefile("${local.here}/http/cloud-user-data", { ssh_public_key = var.ssh_public_key })
    }
  }

  source "qemu.base" {
    name         = "autoinstall-iso"
    disk_size    = var.disk_size
    memory       = 4096
    ssh_timeout  = "90m"
    machine_type = "q35"
    http_content = {
      "/meta-data" = local.meta_data
      "/user-data" = local.user_data
    }
    boot_wait = "5s"
    # Ubuntu's installer asks before it writes a disk unless its kernel is told `autoinstall`.
    boot_command = [
      "c<wait>",
      "linux /casper/vmlinuz autoinstall 'ds=nocloud-net;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/' ---<enter><wait>",
      "initrd /casper/initrd<enter><wait>",
      "boot<enter>",
    ]
  }

  provisioner "shell" {
    inline = ["mkdir -p /tmp/appliance"]
  }

  provisioner "file" {
    source      = "${local.here}/appliance/"
    destination = "/tmp/appliance"
  }

  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} sh -eu '{{ .Path }}'"
    scripts = [
      "${local.here}/provision/10-packages.sh",
      "${local.here}/provision/20-appliance.sh",
    ]
  }
}
