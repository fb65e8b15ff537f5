#!/usr/bin/env python3
"""The window as a person meets it: an empty library welcomes, a question is typed and answered, sources are listed.

Runs itself again inside Xvfb and a session bus of their own; what the window shows is read through AT-SPI, as a screen reader would.
Exit status 77 (skipped) where Xvfb, dbus, xdotool or the AT-SPI bindings are missing."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NEEDED = ('Xvfb', 'dbus-run-session', 'xdotool')


try:
    import gi
    gi.require_version('Atspi', '2.0')
    from gi.repository import Atspi
except (ImportError, ValueError):
    Atspi = None


def skip(why):
    print('skipped:', why)
    sys.exit(77)


def texts(node, found, depth=0):
    """Names and texts of everything showing below an accessible."""
    try:
        shown = Atspi.Text.get_text(node, 0, -1) if 'Text' in node.get_interfaces() else ''
        found.append((node.get_role_name(), node.get_name() or '', shown))
        for i in range(node.get_child_count()):
            child = node.get_child_at_index(i)
            if child is not None and depth < 40:
                texts(child, found, depth + 1)
    except Exception:  # an accessible that went away while it was read
        pass
    return found


def snapshot():
    desktop = Atspi.get_desktop(0)
    found = []
    for i in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(i)
        if application is not None and 'lectern' in (application.get_name() or '').lower():
            texts(application, found)
    return found


def wait_for(wanted, seconds=40):
    """Waits until some name or text of the window holds `wanted`."""
    end = time.monotonic() + seconds
    found = []
    while time.monotonic() < end:
        found = snapshot()
        if any(wanted in name or wanted in text for _, name, text in found):
            return found
        time.sleep(0.3)
    print('not found:', wanted)
    for row in found:
        print('  ', row)
    sys.exit(1)


def window(library):
    env = dict(os.environ, GSK_RENDERER='cairo', GDK_BACKEND='x11', GTK_A11Y='atspi',
               G_DEBUG='fatal-criticals', LC_ALL='C.UTF-8')
    env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
    return subprocess.Popen([os.environ['LECTERN'], '--library', library], env=env)


def close(process):
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def inside():
    samples = os.path.join(os.environ['LECTERN_SOURCE'], 'data', 'samples')
    with tempfile.TemporaryDirectory() as folder:
        library = os.path.join(folder, 'library')

        process = window(library)
        wait_for('Ask Your Documents')
        assert process.poll() is None
        close(process)

        subprocess.run([os.environ['LECTERNCTL'], '--library', library, 'add', samples], check=True,
                       stdout=subprocess.DEVNULL)
        process = window(library)
        wait_for('What Would You Like to Know?')
        found = subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', 'Lectern'], capture_output=True, text=True)
        subprocess.run(['xdotool', 'windowfocus', found.stdout.split()[-1]], check=True)
        time.sleep(0.5)
        subprocess.run(['xdotool', 'type', '--delay', '20', 'How long is the warranty on the boilers?'], check=True)
        subprocess.run(['xdotool', 'key', 'Return'], check=True)
        shown = wait_for('The boilers have a warranty of five years')
        assert any(name.startswith('Source 1: Tavira T2') and 'page' in name for _, name, _ in shown), shown
        unnamed = [row for row in shown if row[0] == 'push button' and not row[1]]
        assert not unnamed, unnamed
        assert process.poll() is None
        close(process)
    print('the window answers')


if __name__ == '__main__':
    if '--inside' in sys.argv:
        inside()
        sys.exit(0)
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        skip(', '.join(missing) + ' not installed')
    if Atspi is None:
        skip('the AT-SPI bindings for Python are not installed')
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o700)
        env = dict(os.environ, XDG_RUNTIME_DIR=home, HOME=home, XDG_DATA_HOME=os.path.join(home, 'data'))
        # The server picks a display that is free and says which. Without -noreset it starts anew, deaf for a moment, whenever
        # its last client leaves.
        reading, writing = os.pipe()
        server = subprocess.Popen(['Xvfb', '-displayfd', str(writing), '-screen', '0', '1280x1024x24', '-nolisten', 'tcp', '-noreset'],
                                  pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        number = os.read(reading, 16).decode().strip()
        if not number:
            print('Xvfb did not start')
            sys.exit(1)
        try:
            env['DISPLAY'] = ':' + number
            status = subprocess.run(['dbus-run-session', '--', sys.executable, __file__, '--inside'], env=env,
                                    timeout=160).returncode
        finally:
            server.terminate()
            server.wait()
        sys.exit(status)
